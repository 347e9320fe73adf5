/** Reads a chat stream with the client of `src/client` in whatever runtime runs this file, and prints it as JSON. */
import process from 'node:process';
import { createClient } from '../../src/client/index.ts';

const client = createClient({ baseUrl: process.argv[2] ?? '' });
const messages = [{ role: 'user', content: 'Once upon a time' }] as const;
const stream = client.chat({ messages, max_tokens: 24, temperature: 0.8, seed: 7, ignore_eos: true });
let texts = 0;
let text = '';
let ending: object = {};
for await (const event of stream) {
  if (event.type === 'end') ending = event;
  else {
    texts += 1;
    text += event.text;
  }
}
const runtime = process.versions.bun ? 'bun' : process.versions.deno ? 'deno' : 'node';
console.log(JSON.stringify({ runtime, texts, text, ...ending }));
