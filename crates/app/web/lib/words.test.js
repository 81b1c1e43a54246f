import assert from "node:assert/strict";
import test from "node:test";
import { clock, credits, initials, listed, shortName, span, waited } from "./words.js";

test("initials leave the title out", () => {
  assert.equal(initials("Dr Dana Reed"), "DR");
  assert.equal(initials("Sam"), "S");
  assert.equal(initials(""), "?");
});

test("names are listed as in a sentence", () => {
  assert.equal(listed(["Sam"]), "Sam");
  assert.equal(listed(["Sam", "Ruth"]), "Sam and Ruth");
  assert.equal(listed(["Sam", "Ruth", "Ana"]), "Sam, Ruth and Ana");
});

test("credits agree with their number", () => {
  assert.equal(credits(1), "1 credit");
  assert.equal(credits(0), "0 credits");
  assert.equal(credits(2978), "2,978 credits");
});

test("a clock shows hours only when there are some", () => {
  assert.equal(clock(0), "00:00");
  assert.equal(clock(1_421_999), "23:41");
  assert.equal(clock(3_821_000), "1:03:41");
  assert.equal(clock(-5), "00:00");
});

test("spans round up, since they are waited for", () => {
  assert.equal(span(59_000), "less than a minute");
  assert.equal(span(181_000), "4 min");
  assert.equal(span(3_600_000), "1 h");
  assert.equal(span(4_800_000), "1 h 20 min");
  assert.equal(span(3 * 86_400_000), "3 days");
});

test("waiting rounds down, since it has passed", () => {
  assert.equal(waited(59_999), "just now");
  assert.equal(waited(185_000), "3 min");
});

test("doctors keep their surname", () => {
  assert.equal(shortName("Dr Dana Reed"), "Dr Reed");
  assert.equal(shortName("Sam Okafor"), "Sam");
});
