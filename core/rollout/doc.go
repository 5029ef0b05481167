// Package rollout says which version of an adapter answers whom.
//
// A [Document] is what people decide: for each class of device which version is
// control, and which candidates have what share of its units. It is data: plain,
// versioned, the same on every replica. Changes to it are pure functions; who makes
// them and where the document is kept is for others.
//
// A [Plan] is a document made ready. Its Assign is a pure function of the class, its
// salt and the unit: a unit falls into one of 10,000 buckets by xxHash, evenly, and
// in each class independently of the others. A class is one layer: its rollouts take
// disjoint slices of the buckets, so that no unit is in two of them. The candidate
// has the lower end of its rollout's slice, so growing its share only adds units to
// it, and who is control stays control until the share reaches them. It follows
// Tang et al., "Overlapping Experiment Infrastructure" (KDD 2010), with one layer a
// class.
//
// Assigning takes some 110 ns and no memory, however many rollouts there are.
package rollout
