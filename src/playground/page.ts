/** The page's program: form → request → story and figures. Built into `page.js` by `build.ts`. */
import { ClientError, type CompletionStream, createClient, type EndEvent } from '../client/index.ts';
import { type ServerState, watchHealth } from './health.ts';
import { createMeter, type Figures } from './meter.ts';
import { createStory } from './story.ts';

/** The element of that id, whose kind is checked once here. */
function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new TypeError(`The page has no ${kind.name} with id ${id}.`);
}

const base = new URL('.', document.baseURI);
const form = find('form', HTMLFormElement);
const prompt = find('prompt', HTMLTextAreaElement);
const write = find('write', HTMLButtonElement);
const stop = find('stop', HTMLButtonElement);
const temperature = find('temperature', HTMLInputElement);
const maxTokens = find('max-tokens', HTMLInputElement);
const seed = find('seed', HTMLInputElement);
const mode = find('mode', HTMLSelectElement);
const speculation = find('speculation', HTMLInputElement);
const keyField = find('key-field', HTMLDivElement);
const key = find('key', HTMLInputElement);
const answer = find('answer', HTMLElement);
const storyElement = find('story', HTMLDivElement);
const story = createStory(storyElement);
const say = (id: string, text: string): void => {
  find(id, HTMLElement).textContent = text;
};

let serverState: ServerState = 'connecting';
let running: AbortController | undefined;

const checkHealth = watchHealth(base, {
  show(state, words) {
    serverState = state;
    const element = find('server', HTMLParagraphElement);
    element.dataset.state = state;
    if (element.textContent !== words) element.textContent = words; // else it would be read aloud every second
    showWrite();
  },
});

/** The button stays reachable when it does nothing, so that the keyboard's focus is never lost. */
function showWrite(): void {
  write.ariaDisabled = String(running !== undefined || serverState !== 'ready');
}

/** Sends what the form says. */
function request(signal: AbortSignal): CompletionStream {
  const client = createClient({ baseUrl: base, apiKey: key.value || undefined });
  const params = {
    temperature: temperature.valueAsNumber,
    max_tokens: maxTokens.valueAsNumber,
    seed: seed.value === '' ? undefined : seed.valueAsNumber,
    speculative: { enabled: speculation.checked },
  };
  if (mode.value === 'complete') return client.complete({ prompt: prompt.value, ...params }, { signal });
  return client.chat({ messages: [{ role: 'user', content: prompt.value }], ...params }, { signal });
}

/** Shows an answer as it comes; returns its last event. */
async function show(stream: CompletionStream): Promise<EndEvent | undefined> {
  const meter = createMeter(performance.now());
  for await (const event of stream) {
    if (event.type === 'end') return event;
    meter.add(event, performance.now());
    const isAtEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 40;
    story.add(event);
    showFigures(meter.read());
    if (isAtEnd) scrollTo(0, document.documentElement.scrollHeight);
  }
  return undefined;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

function showFigures({ firstTokenMs, tokensPerSecond, draftShare }: Partial<Figures>): void {
  say('ttft', firstTokenMs === undefined ? '–' : `${Math.round(firstTokenMs)} ms`);
  say('rate', tokensPerSecond === undefined ? '–' : tokensPerSecond.toFixed(tokensPerSecond < 100 ? 1 : 0));
  say('share', draftShare === undefined ? '–' : percent(draftShare));
}

function showEnd({ finishReason, usage, speculation: stats }: EndEvent): void {
  if (stats && stats.num_draft_tokens > 0) say('accepted', percent(stats.draft_acceptance_rate));
  const why = finishReason === 'length' ? 'stopped at max tokens' : 'finished';
  say('progress', `The text ${why} after ${usage?.completion_tokens ?? 'some'} tokens.`);
}

function showFailure(error: unknown): void {
  if (running?.signal.aborted) {
    say('progress', 'Stopped.');
    return;
  }
  const isUnreachable =
    error instanceof ClientError && ['network', 'stream_interrupted'].includes(error.code);
  const message = error instanceof Error ? error.message : String(error);
  say('error', isUnreachable ? 'The connection to the server was lost.' : message);
  say('progress', '');
  answer.hidden = story.isEmpty();
  find('error', HTMLElement).scrollIntoView({ block: 'nearest' });
  if (error instanceof ClientError && error.status === 401) {
    keyField.hidden = false;
    key.focus();
  } else void checkHealth();
}

/** Shows what can be done now; the keyboard's focus goes along with the buttons. */
function setRunning(controller: AbortController | undefined): void {
  const hasFocus = [write, stop].some((button) => button === document.activeElement);
  running = controller;
  stop.hidden = controller === undefined;
  storyElement.ariaBusy = String(controller !== undefined);
  showWrite();
  if (hasFocus) (controller ? stop : write).focus();
}

async function run(): Promise<void> {
  const controller = new AbortController();
  setRunning(controller);
  answer.hidden = false;
  story.begin(mode.value === 'complete' ? prompt.value : '');
  showFigures({});
  say('accepted', '–');
  say('error', '');
  say('progress', 'Writing…');
  try {
    const end = await show(request(controller.signal));
    if (end) showEnd(end);
  } catch (error) {
    showFailure(error);
  } finally {
    setRunning(undefined);
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!running && serverState === 'ready') void run();
});
prompt.addEventListener('keydown', (event) => {
  // Enter may also confirm a word of an input method; that one belongs to the method.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') running?.abort();
});
stop.addEventListener('click', () => running?.abort());
temperature.addEventListener('input', () => say('temperature-value', temperature.valueAsNumber.toFixed(1)));
say('temperature-value', temperature.valueAsNumber.toFixed(1)); // browsers restore fields after a reload
void checkHealth();
