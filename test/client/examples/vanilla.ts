import { ClientError, createClient } from 'sdfp/client'; // 3 kB, needs only fetch

const client = createClient({ baseUrl: 'http://localhost:3000' });
const story = document.querySelector('#story')!;
const stop = new AbortController();
document.querySelector('#stop')!.addEventListener('click', () => stop.abort());

const messages = [{ role: 'user', content: 'Tell me a story about a dog.' }] as const;
try {
  for await (const event of client.chat({ messages }, { signal: stop.signal })) {
    if (event.type === 'text') story.append(event.text);
    else console.log(event.finishReason, event.usage, event.speculation);
  }
} catch (error) {
  if (error instanceof ClientError) story.append(` (${error.code}: ${error.message})`);
}
