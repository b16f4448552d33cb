// emailjs, as its documentation has it.
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const [host, port, ca] = process.argv.slice(2);
const module = pathToFileURL(`${process.env.NODE_PATH}/emailjs/dist/index.js`);
const { SMTPClient } = await import(module);
const client = new SMTPClient({
  host,
  port: Number(port),
  domain: "client.example",
  tls: { ca: fs.readFileSync(ca) },
  timeout: 10000,
});
try {
  await client.sendAsync({ from: "a@example.org", to: "b@example.org", subject: "survey", text: "hi" });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
process.exit();
