import { readFileSync } from "node:fs";
import https from "node:https";
import tls from "node:tls";

/** The warehouse has an authority of its own. */
const ca = readFileSync("/etc/harbour/warehouse-ca.pem");

const agent = new https.Agent({
  ca,
  keepAlive: true,
  rejectUnauthorized: true,
});

export interface Stock {
  sku: string;
  pieces: number;
}

export function stock(sku: string): Promise<Stock> {
  return new Promise((resolve, reject) => {
    const url = `https://warehouse.harbour.example/stock/${encodeURIComponent(sku)}`;
    https
      .get(url, { agent }, (answer) => {
        let body = "";
        answer.on("data", (part) => (body += part));
        answer.on("end", () => resolve(JSON.parse(body)));
      })
      .on("error", reject);
  });
}

export function events(port: number): tls.TLSSocket {
  const socket = tls.connect({ host: "warehouse.harbour.example", port, ca, rejectUnauthorized: true });
  socket.setEncoding("utf8");
  return socket;
}
