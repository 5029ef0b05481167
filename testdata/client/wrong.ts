// What must not compile: tsc fails where a line below such a comment is accepted.
import { Client } from "./client.js";
import type { Page } from "./client.js";
import type { paths as Phone } from "./phone.js";
import type { paths as Tablet } from "./tablet.js";
import type { paths as TV } from "./tv.js";

// @ts-expect-error: another device's name
export const liar = new Client<TV>("", { "X-Device-Type": "phone" });

const phone = new Client<Phone>("", {});

// @ts-expect-error: a page that is not
export const nothing = phone.get("/basket", {});

// @ts-expect-error: no product
export const noProduct = phone.get("/productdetails", {});

// @ts-expect-error: a parameter that is not
export const noParameter = phone.get("/productdetails", { productid: "p-1042", colour: "red" });

export function wrong(phone: Page<Phone, "/productdetails">, tablet: Page<Tablet, "/productdetails">, tv: Page<TV, "/home">) {
  // @ts-expect-error: a field that is not
  phone.colour;
  // @ts-expect-error: it may be absent
  phone.rating.average;
  // @ts-expect-error: a word that is not
  phone.availability === "perhaps";
  // @ts-expect-error: a number
  tablet.right.price.amount.length;
  // @ts-expect-error: a field of another device
  tablet.price;
  // @ts-expect-error: a field of another page
  tv.hero;
}
