/** The race: the same request without and with speculation. */
import { find, say } from './dom.ts';
import { createLane } from './lane.ts';
import { countTokens, type Recording, record, replay } from './recording.ts';
import type { Settings } from './settings.ts';
import { describeRace } from './verdict.ts';

export interface Race {
  /**
   * Records both answers, one after the other, as two at once would take time from each other; says what came out, and
   * replays them side by side. Errors: those of the client.
   */
  run(prompt: string, signal: AbortSignal): Promise<void>;
  /** Replays the last race; an abort shows its end. */
  replay(signal: AbortSignal): Promise<void>;
}

/** The race of the page. */
export function createRace(settings: Settings): Race {
  const lanes = [createLane('plain'), createLane('speculative')] as const;
  const again = find('replay', HTMLButtonElement);
  let recordings: readonly [Recording, Recording] | undefined;

  async function recordBoth(prompt: string, signal: AbortSignal): Promise<readonly [Recording, Recording]> {
    const { params } = settings;
    const seed = params.seed ?? crypto.getRandomValues(new Uint32Array(1))[0];
    const send = (enabled: boolean, maxTokens = params.max_tokens) => {
      const speculative = { enabled, draft_tokens: enabled ? settings.draftTokens : undefined };
      const turns = [{ role: 'user', text: prompt }] as const;
      return settings.send(turns, { ...params, seed, max_tokens: maxTokens, speculative }, signal);
    };
    say('race-state', 'Reading the prompt…');
    // Else only the second one would find the prompt in the server's cache.
    await send(false, 1).collect();
    say('race-state', 'Recording 1 of 2, without speculation…');
    const plain = await record(send(false), lanes[0].add);
    lanes[0].finish(plain);
    say('race-state', 'Recording 2 of 2, with speculation…');
    const speculative = await record(send(true), lanes[1].add);
    lanes[1].finish(speculative);
    say('race-seed', `Seed ${seed}.`);
    return [plain, speculative];
  }

  async function replayBoth(signal: AbortSignal): Promise<void> {
    if (!recordings) return;
    say('race-state', 'Replay of both recordings, in the time they took…');
    await Promise.all(
      recordings.map(async (recording, i) => {
        const lane = lanes[i === 0 ? 0 : 1];
        lane.begin(countTokens(recording.end));
        await replay(recording, lane.add, signal);
        lane.finish(recording);
      }),
    );
    say('race-state', 'Both are at their end.');
  }

  return {
    async run(prompt, signal) {
      recordings = undefined;
      again.hidden = true;
      const shown = find('lanes', HTMLElement);
      shown.hidden = false;
      shown.scrollIntoView({ block: 'start' });
      for (const id of ['race-state', 'race-texts', 'race-speed', 'race-seed']) say(id, '');
      for (const lane of lanes) lane.begin(settings.params.max_tokens ?? 1);
      try {
        recordings = await recordBoth(prompt, signal);
      } catch (error) {
        say('race-state', signal.aborted ? 'Stopped.' : 'The race was broken off.');
        throw error;
      }
      const { texts, speed } = describeRace(...recordings);
      say('race-texts', texts);
      say('race-speed', speed);
      again.hidden = false;
      // Who wants less motion starts it by the button.
      if (!matchMedia('(prefers-reduced-motion: reduce)').matches) await replayBoth(signal);
      else say('race-state', 'Both are recorded.');
    },
    replay: replayBoth,
  };
}
