/** The page's program: wires form, views and server. Built into `page.js` by `build.ts`. */
import { ClientError } from '../client/index.ts';
import { createChat } from './chat.ts';
import { createComposer } from './composer.ts';
import { find, say } from './dom.ts';
import { type ServerState, watchHealth } from './health.ts';
import type { Plan } from './plan.ts';
import { showPlan } from './plan-view.ts';
import { createRace } from './race.ts';
import { createRunner } from './runner.ts';
import { createSettings } from './settings.ts';
import { createViews } from './views.ts';

const base = new URL('.', document.baseURI);
let serverState: ServerState = 'connecting';

const composer = createComposer(submit);
const settings = createSettings(base, { onMode: refresh, onKey: () => void loadPlan() });
const chat = createChat(settings);
const race = createRace(settings);
const runner = createRunner({
  onChange: refresh,
  onStopped: () => say('progress', 'Stopped.'),
  onFailure: showFailure,
});
const views = createViews((view) => {
  // A race is of one prompt; the chat's box is empty once something was sent.
  if (view === 'race' && !composer.prompt && chat.turns[0]) composer.prompt = chat.turns[0].text;
  refresh();
});
const checkHealth = watchHealth(base, {
  show(state, words) {
    const wasReady = serverState === 'ready';
    serverState = state;
    find('server', HTMLElement).dataset.state = state;
    say('server', words);
    refresh();
    if (state === 'ready' && !wasReady) void loadPlan();
  },
});

/** Shows what can be done now. Also called while the page is still being wired. */
function refresh(): void {
  queueMicrotask(() =>
    composer.show({
      view: views.current,
      mode: settings.mode,
      hasTurns: chat.turns.length > 0,
      isRunning: runner.isRunning,
      isReady: serverState === 'ready',
    }),
  );
}

async function loadPlan(): Promise<void> {
  const { authorization } = settings;
  const headers: HeadersInit = authorization ? { authorization } : {};
  const response = await fetch(new URL('plan', base), { headers }).catch(() => undefined);
  if (response?.status === 401) settings.askForKey(false);
  const plan: Plan | undefined = response?.ok ? await response.json().catch(() => undefined) : undefined;
  showPlan(plan);
  if (plan?.has_chat_template !== undefined) settings.offerChat(plan.has_chat_template);
}

function submit(): void {
  if (runner.isRunning || serverState !== 'ready') return;
  const { prompt } = composer;
  say('error', '');
  if (views.current === 'race') return void runner.run((signal) => race.run(prompt, signal));
  if (settings.mode === 'chat' && !prompt.trim()) return;
  void runner.run((signal) => sendToChat(prompt, signal));
}

async function sendToChat(prompt: string, signal: AbortSignal): Promise<void> {
  const before = chat.turns;
  composer.prompt = '';
  try {
    await chat.run(prompt, signal);
  } finally {
    // Nothing came of it, so it can be sent again.
    if (chat.turns === before && !composer.prompt) composer.prompt = prompt;
  }
}

function showFailure(error: unknown): void {
  const isUnreachable =
    error instanceof ClientError && ['network', 'stream_interrupted'].includes(error.code);
  const message = error instanceof Error ? error.message : String(error);
  say('error', isUnreachable ? 'The connection to the server was lost.' : message);
  say('progress', '');
  find('error', HTMLElement).scrollIntoView({ block: 'nearest' });
  if (error instanceof ClientError && error.status === 401) settings.askForKey(true);
  else void checkHealth();
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') runner.stop();
});
find('stop', HTMLButtonElement).addEventListener('click', () => runner.stop());
find('replay', HTMLButtonElement).addEventListener('click', () => void runner.run(race.replay));
find('new-chat', HTMLButtonElement).addEventListener('click', () => {
  chat.clear();
  composer.showSample(settings.mode);
  say('error', '');
  refresh();
  find('prompt', HTMLTextAreaElement).focus();
});
void checkHealth();
