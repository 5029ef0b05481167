package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/scanner"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a file. The parser takes time with the square of the names of a
// block and of the depth, and keeps with each value the names above it. So all
// of them are counted before it starts; at these bounds it stays well under a
// second.
const (
	maxFile   = 1 << 20
	maxTokens = 20_000
	maxDepth  = 32  // of brackets and dashes
	maxIndent = 128 // columns, which bounds the depth of blocks
	maxName   = 64  // bytes
)

// document returns the root of the one document in data, or adds the error that
// keeps it from being read.
func document(data []byte, errs *collector) (value, bool) {
	if len(data) > maxFile {
		errs.add(1, 1, "", fmt.Sprintf("the file is too large; allowed: at most %s", Size(maxFile)))
		return value{}, false
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if line, column, ok := unprintable(data); ok {
		errs.add(line, column, "", "not a text character; allowed: UTF-8 without control characters")
		return value{}, false
	}
	tokens, ok := scan(string(data), errs)
	if !ok {
		return value{}, false
	}
	return parse(tokens, errs)
}

// unprintable returns the place of the first thing that is no text. The parser
// would let it pass, and into log lines.
func unprintable(data []byte) (line, column int, found bool) {
	line, column = 1, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == utf8.RuneError && size == 1, r < ' ' && r != '\t' && r != '\r', r >= 0x7f && r < 0xa0:
			return line, column, true
		}
		data, column = data[size:], column+1
	}
	return 0, 0, false
}

// scan returns the tokens of a file, or adds an error at the first that is not
// allowed here.
func scan(text string, errs *collector) (token.Tokens, bool) {
	var s scanner.Scanner
	s.Init(text)
	var tokens token.Tokens
	var d depth
	for {
		next, err := s.Scan()
		for _, t := range next {
			if problem := cmp.Or(refused(t), oversize(t, tokens), d.enter(t)); problem != "" {
				errs.add(t.Position.Line, t.Position.Column, "", problem)
				return nil, false
			}
			if t.Type != token.CommentType {
				tokens.Add(t)
			}
		}
		if err != nil { // the end, or a token that the parser will refuse
			return tokens, true
		}
	}
}

// refused says what is wrong with a kind of token. What a file could say only
// with anchors, tags or several documents, it can say without, and every reader
// of it sees the same values.
func refused(t *token.Token) string {
	switch t.Type {
	case token.AnchorType, token.AliasType, token.MergeKeyType:
		return fmt.Sprintf("anchors and aliases are not supported; allowed: plain values, in quotes if one starts with %q", t.Value)
	case token.TagType, token.DirectiveType, token.MappingKeyType:
		return fmt.Sprintf("%q is not supported here; allowed: plain values, in quotes if one starts with it", shorten(t.Value))
	}
	return ""
}

// oversize says which bound a token breaks that comes after those before.
func oversize(t *token.Token, before token.Tokens) string {
	switch n := len(before); {
	case n > 0 && t.Type == token.DocumentHeaderType:
		return "a second document starts; allowed: one document in a file"
	case n > 0 && t.Type == token.MappingValueType && len(before[n-1].Value) > maxName:
		return fmt.Sprintf("the name before this colon is too long; allowed: at most %d bytes", maxName)
	case t.Position.IndentNum > maxIndent:
		return fmt.Sprintf("indented too far; allowed: at most %d columns", maxIndent)
	case n >= maxTokens:
		return fmt.Sprintf("too many values; allowed: at most %d names, values and marks in a file", maxTokens)
	}
	return ""
}

// depth counts the brackets that are open and the dashes in a row.
type depth struct{ brackets, dashes int }

func (d *depth) enter(t *token.Token) string {
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		d.brackets++
	case token.SequenceEndType, token.MappingEndType:
		d.brackets = max(0, d.brackets-1) // one too many is for the parser to refuse
	case token.SequenceEntryType:
		d.dashes++
	default:
		d.dashes = 0
	}
	if d.brackets+d.dashes > maxDepth {
		return fmt.Sprintf("nested too deeply; allowed: %d levels", maxDepth)
	}
	return ""
}

func parse(tokens token.Tokens, errs *collector) (value, bool) {
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // value.entries reports duplicates, all of them
	if err != nil {
		addSyntax(err, errs)
		return value{}, false
	}
	body, second := bodies(file)
	switch {
	case body == nil:
		errs.add(1, 1, "", "the file is empty; allowed: a configuration")
		return value{}, false
	case second != nil:
		at := first(second).Position
		errs.add(at.Line, at.Column, "", "a second document starts; allowed: one document in a file")
		return value{}, false
	}
	return value{node: body, key: first(body), errs: errs}, true
}

// first returns the token with which a node starts. That of a block is its
// first colon.
func first(body ast.Node) *token.Token {
	if m, ok := body.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return body.GetToken()
}

// bodies returns the first two documents that hold something.
func bodies(file *ast.File) (one, two ast.Node) {
	for _, d := range file.Docs {
		switch {
		case d.Body == nil, d.Body.Type() == ast.NullType:
		case one == nil:
			one = d.Body
		default:
			return one, d.Body
		}
	}
	return one, nil
}

func addSyntax(err error, errs *collector) {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		errs.add(1, 1, "", "not YAML; allowed: a YAML document")
		return
	}
	p := at.GetToken().Position
	problem := strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(shorten(at.GetMessage()))
	errs.add(p.Line, p.Column, "", fmt.Sprintf("not YAML: %s; allowed: a YAML document", problem))
}
