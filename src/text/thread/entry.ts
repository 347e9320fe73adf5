import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import { loadTextCodec } from '../codec.ts';
import type { EncodeAnswer, EncodeQuestion } from './protocol.ts';

const port = parentPort;
if (port === null) throw new TypeError('src/text/thread/entry.ts runs in a worker, not by itself');
const dir: string = workerData;
const codec = await loadTextCodec(dir);
port.on('message', ({ id, text, addSpecialTokens }: EncodeQuestion) =>
  port.postMessage(answer(id, text, addSpecialTokens)),
);

function answer(id: number, text: string, addSpecialTokens: boolean): EncodeAnswer {
  try {
    return { id, ids: codec.encode(text, { addSpecialTokens }) };
  } catch (error) {
    return { id, problem: messageOf(error) };
  }
}
