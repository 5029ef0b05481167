// Asks a gateway for pages of each device, and prints what it reads in them as one
// line of JSON. Each line below compiles only as long as the device has that field.
import { Client } from "./client.js";
import type { Answer } from "./client.js";
import type { paths as Phone } from "./phone.js";
import type { paths as Tablet } from "./tablet.js";
import type { paths as TV } from "./tv.js";

const gateway = process.argv[2] ?? "";
const tent = { productid: "p-1042", postcode: "1011AB" };
const ada = { "X-User-Id": "u-7" };

const phone = new Client<Phone>(gateway, { "X-Device-Type": "phone", ...ada });
const tablet = new Client<Tablet>(gateway, { "X-Device-Type": "tablet", ...ada });
const tv = new Client<TV>(gateway, { "X-Device-Type": "tv", ...ada });

/** The page of an answer; anything else is an error. */
function page<Paths, At extends keyof Paths>(answer: Answer<Paths, At>) {
  if (!answer.ok) throw new Error(JSON.stringify(answer.problem));
  return answer.page;
}

async function ofPhone() {
  const answer = await phone.get("/productdetails", tent);
  const { title, price, availability, rating, images, cart_count } = page(answer);
  const known: "unknown" | "in_stock" | "low" | "sold_out" = availability;
  const rows = page(await phone.get("/home", {})).rows ?? [];
  const wish = page(await phone.get("/wishlist", {})).products?.[0];
  return {
    adapter: answer.ok && answer.adapter, parts: answer.ok && answer.parts, title, amount: price.amount, availability: known,
    average: rating?.average, image: images?.[0]?.url, cart: cart_count, row: rows[0]?.title, wish: wish?.name,
  };
}

async function ofTablet() {
  const answer = await tablet.get("/productdetails", tent);
  const { title, left, right, also_viewed } = page(answer);
  const grid = page(await tablet.get("/home", {})).sections?.[0]?.grid;
  const wishes = page(await tablet.get("/wishlist", {}));
  return {
    adapter: answer.ok && answer.adapter, parts: answer.ok && answer.parts, title, amount: right.price.amount, availability: right.availability,
    average: left.rating?.average, ordered: right.orders?.[0]?.placed_at, viewed: also_viewed?.[0]?.[0]?.name,
    tile: grid?.[0]?.[0]?.name, name: wishes.name,
  };
}

async function ofTV() {
  const answer = await tv.get("/productdetails", tent);
  const { title, price, availability, rating, hero, delivery, shelf } = page(answer);
  const home = page(await tv.get("/home", {}));
  const wishes = page(await tv.get("/wishlist", {}));
  return {
    adapter: answer.ok && answer.adapter, parts: answer.ok && answer.parts, title, amount: price.amount, availability,
    average: rating?.average, hero, arrives: delivery?.arrives, shelf: shelf?.[0]?.name,
    focus: home.focus, poster: home.rows?.[0]?.posters?.[0]?.title, wishes: wishes.title,
  };
}

/** What is wrong with a query, by code and field. */
async function refused() {
  const answer = await phone.get("/productdetails", { productid: "a/b" });
  if (answer.ok) throw new Error("a product of a malformed name has a page");
  const { code, field, status } = answer.problem;
  return { code: code satisfies string, field, status };
}

console.log(JSON.stringify({ phone: await ofPhone(), tablet: await ofTablet(), tv: await ofTV(), refused: await refused() }));
