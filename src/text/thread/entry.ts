import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import { loadTextCodec } from '../codec.ts';
import type { EncodeAnswer, EncodeQuestion } from './protocol.ts';

const port = parentPort;
if (port === null) throw new TypeError('src/text/thread/entry.ts runs in a worker, not by itself');
const dir: string = workerData;
const codec = await loadTextCodec(dir);
const send = (message: EncodeAnswer): void => port.postMessage(message);
port.on('message', (question: EncodeQuestion) => send(answer(question)));
send({ isReady: true });

function answer({ text, addSpecialTokens }: EncodeQuestion): EncodeAnswer {
  try {
    return { ids: codec.encode(text, { addSpecialTokens }) };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
