import { connect, type MqttClient } from "mqtt";

export interface BridgeOptions {
  host: string;
  topic: string;
  onReading: (sensor: string, value: number) => void;
}

/** Forwards the readings of the cold store. */
export function bridge({ host, topic, onReading }: BridgeOptions): MqttClient {
  const client = connect(`mqtts://${host}`, { rejectUnauthorized: true, reconnectPeriod: 5_000 });
  client.on("connect", () => client.subscribe(`${topic}/+`));
  client.on("message", (name, payload) => {
    const value = Number.parseFloat(payload.toString());
    if (Number.isFinite(value)) {
      onReading(name.slice(topic.length + 1), value);
    }
  });
  return client;
}
