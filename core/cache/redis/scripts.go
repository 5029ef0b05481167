package redis

import (
	"context"
	"crypto/sha1" //nolint:gosec // the name that Redis gives a script
	_ "embed"
	"encoding/hex"
	"strings"

	"github.com/redis/rueidis"
)

// What has to happen at one instant is a script: nothing else runs meanwhile.
// They use TIME and write, which wants Redis 5, and reach keys that they find,
// which wants one server.
var (
	//go:embed put.lua
	putText string
	//go:embed invalidate.lua
	invalidateText string
)

type script struct{ text, sha string }

type scripts struct{ put, invalidate script }

func newScripts() scripts {
	return scripts{put: newScript(putText), invalidate: newScript(invalidateText)}
}

func newScript(text string) script {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // the name that Redis gives a script
	return script{text, hex.EncodeToString(sum[:])}
}

func (s script) call(c rueidis.Client, keys, args []string) rueidis.Completed {
	return c.B().Evalsha().Sha1(s.sha).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
}

// run calls a script, and loads it where the server does not know it.
func (s script) run(ctx context.Context, c rueidis.Client, keys, args []string) rueidis.RedisResult {
	r := c.Do(ctx, s.call(c, keys, args))
	if unknownScript(r.Error()) && s.load(ctx, c) == nil {
		return c.Do(ctx, s.call(c, keys, args))
	}
	return r
}

func (s script) load(ctx context.Context, c rueidis.Client) error {
	return c.Do(ctx, c.B().ScriptLoad().Script(s.text).Build()).Error()
}

func unknownScript(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	return ok && e.IsNoScript()
}

func wrongType(e *rueidis.RedisError) bool { return strings.HasPrefix(e.Error(), "WRONGTYPE") }
