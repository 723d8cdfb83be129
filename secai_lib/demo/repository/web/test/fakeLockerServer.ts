import express from "express";

/** Stands in for the locker server in tests; not a service of the product. */
const app = express();

app.get("/api/v1/parcels/search", (_req, res) => {
  res.json([]);
});

app.post("/reset", (_req, res) => res.sendStatus(204));

export const fakeLockerServer = app.listen(18080);
