import { scriptedEngine } from '../engine/helpers.ts';
import { openScriptedWorker } from '../fakes/open-scripted-worker.ts';
import { ScriptedModel } from '../fakes/scripted-model.ts';
import { describeEngine } from './engine-suite.ts';

describeEngine('in this thread', async ({ stepMs = 0, ...limits }) => {
  const wait = () => {
    const end = performance.now() + stepMs;
    while (performance.now() < end);
  };
  const agrees = (position: number) => position % 4 !== 3;
  return scriptedEngine(new ScriptedModel({ maxContextTokens: 4096, agrees, onStep: wait }), limits);
});

describeEngine('in a worker', openScriptedWorker);
