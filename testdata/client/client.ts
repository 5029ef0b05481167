// A client of one kind of device: Paths is what openapi-typescript makes of that
// device's document, and all that is known here of any page.

type Operation<Paths, At extends keyof Paths> = Paths[At] extends { get: infer O } ? O : never;

/** What a page is asked with. */
export type Query<Paths, At extends keyof Paths> =
  Operation<Paths, At> extends { parameters: { query: infer Q } } ? Q : Record<string, never>;

/** What is said of the device and of who asks. */
export type Headers<Paths> =
  Operation<Paths, keyof Paths> extends { parameters: { header?: infer H } } ? NonNullable<H> : never;

type Body<Paths, At extends keyof Paths, Status extends number, Type extends string> =
  Operation<Paths, At> extends { responses: { [s in Status]: { content: { [t in Type]: infer B } } } } ? B : never;

export type Page<Paths, At extends keyof Paths> = Body<Paths, At, 200, "application/json">;
export type Problem<Paths, At extends keyof Paths> = Body<Paths, At, 400, "application/problem+json">;

export type Answer<Paths, At extends keyof Paths> =
  | { ok: true; page: Page<Paths, At>; adapter: string; parts: string }
  | { ok: false; problem: Problem<Paths, At> };

export class Client<Paths> {
  constructor(
    private readonly gateway: string,
    private readonly headers: Headers<Paths>,
  ) {}

  async get<At extends keyof Paths & string>(at: At, query: Query<Paths, At>): Promise<Answer<Paths, At>> {
    const url = new URL(at, this.gateway);
    for (const [name, value] of Object.entries(query as Record<string, string>)) {
      url.searchParams.set(name, value);
    }
    const response = await fetch(url, { headers: this.headers as Record<string, string> });
    if (!response.ok) {
      return { ok: false, problem: (await response.json()) as Problem<Paths, At> };
    }
    const page = (await response.json()) as Page<Paths, At>;
    const said = response.headers;
    return { ok: true, page, adapter: said.get("Facet-Adapter") ?? "", parts: said.get("Facet-Parts") ?? "" };
  }
}
