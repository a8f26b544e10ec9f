// Reads deliveries from standard input, lets Stripe's own SDK verify them, and signs one itself.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(`${process.argv[2]}/`);
const Stripe = require("stripe");
const stripe = new Stripe("sk_test_emulated");
const { secret, deliveries } = JSON.parse(await text(process.stdin));

const verdict = (raw, signature) => {
  try {
    return stripe.webhooks.constructEvent(raw, signature, secret).type;
  } catch (error) {
    return error.type;
  }
};
const payload = '{"object": "event", "type": "of.node"}';
console.log(
  JSON.stringify({
    version: Stripe.PACKAGE_VERSION,
    verdicts: deliveries.map(({ raw, signature }) => verdict(raw, signature)),
    signed: { payload, header: stripe.webhooks.generateTestHeaderString({ payload, secret }) },
  }),
);
