import { Router } from "express";

import { lockerApi } from "../client/lockerApi.js";

export const parcelsRouter = Router();

parcelsRouter.get("/:code", async (req, res) => {
  const parcel = await lockerApi.get(`/api/v1/parcels/${encodeURIComponent(req.params.code)}`);
  res.json(parcel.data);
});

parcelsRouter.post("/:code/pickup", async (req, res) => {
  await lockerApi.put(`/api/v1/parcels/${encodeURIComponent(req.params.code)}/pickup`);
  res.sendStatus(204);
});
