import { Router } from "express";
import _ from "lodash";

import { lockerApi } from "../client/lockerApi.js";

export const reportsRouter = Router();

/** The depot filters with an expression such as `parcel.days > 3`. */
reportsRouter.get("/parcels", async (req, res) => {
  const parcels = await lockerApi.get("/api/v1/parcels/search");
  const matches = _.filter(parcels.data, (parcel) => eval(String(req.query.filter)));
  res.json(matches);
});

const cache = new Map<string, number>();

reportsRouter.get("/count", (_req, res) => {
  res.json({ count: cache.get("count") ?? 0 });
});
