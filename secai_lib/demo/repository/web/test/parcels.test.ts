import assert from "node:assert";
import { test } from "node:test";

import axios from "axios";

const client = axios.create({ baseURL: "http://localhost:3000", validateStatus: () => true });

test("an unknown parcel is not found", async () => {
  const answer = await client.get("/parcels/000000");
  assert.equal(answer.status, 404);
});

test("an old path is gone", async () => {
  const answer = await client.post("/v0/pickup", { code: "000000" });
  assert.equal(answer.status, 404);
});
