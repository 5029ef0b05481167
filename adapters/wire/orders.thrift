// What the orders service speaks over Thrift: the compact protocol, in frames.
namespace go orders

/** RequestContext is what other protocols have headers for. */
struct RequestContext {
  /** of W3C Trace Context */
  1: required string traceparent
  2: optional string request_id
  /** what is left of the caller's time; none: it has no limit */
  3: optional i64 timeout_ms
}

/** Item is a number of pieces of one product. */
struct Item {
  1: required string product_id
  2: required i64 quantity
}

/** Money is an amount in minor units of a currency of ISO 4217. */
struct Money {
  1: required i64 amount
  2: required string currency
}

/** Order is something that a user has bought. */
struct Order {
  1: required string id
  /** milliseconds since 1970-01-01 00:00 UTC */
  2: required i64 placed_at
  3: required string status
  4: required list<Item> items
  5: required Money total
}

/** NotFound: there is no such thing. It is an answer, not a failure. */
exception NotFound {
}

/** Refused: the question is at fault, and the service is well. */
exception Refused {
  /** of the arguments; empty if it is none of them */
  1: required string field
}

service Orders {
  /**
   * query returns the latest orders of a user, at most limit of them; of one product, if
   * that is not empty. A user who is not known has none.
   */
  list<Order> query(1: RequestContext context, 2: string user, 3: string product, 4: i32 limit)
    throws (1: NotFound not_found, 2: Refused refused)
}
