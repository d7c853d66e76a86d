import assert from "node:assert/strict";
import { test } from "node:test";
import { decorate } from "./greeting.mjs";

test("two copies are two pictures", async () => {
  assert.equal((await decorate("https://example.org/cat.png", "Happy birthday", 2)).length, 2);
});
