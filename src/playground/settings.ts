import { type CompletionStream, createClient, type GenerationParams } from '../client/index.ts';
import { joinTurns, type Mode, messagesOf, type Turn } from './conversation.ts';
import { find, say } from './dom.ts';

/** What the form's fields say. */
export interface Settings {
  readonly mode: Mode;
  readonly params: GenerationParams;
  /** Fixed draft length; undefined: the server chooses. */
  readonly draftTokens: number | undefined;
  /** Value of the `authorization` header, where there is a key. */
  readonly authorization: string | undefined;
  /** A request of these turns; it is sent when it is read. */
  send(turns: readonly Turn[], params: GenerationParams, signal: AbortSignal): CompletionStream;
  /** Chats where the model has a template for it, else continues texts. */
  offerChat(hasTemplate: boolean): void;
  /** Shows the field of the API key; with focus, where a request has just failed for the lack of it. */
  askForKey(withFocus: boolean): void;
}

const field = (id: string): HTMLInputElement => find(id, HTMLInputElement);

/** Undefined: the field is empty. */
const numberOf = (id: string): number | undefined =>
  field(id).value === '' ? undefined : field(id).valueAsNumber;

/** The fields of the page. `onMode` hears of another mode, `onKey` of another key. */
export function createSettings(
  base: URL,
  { onMode, onKey }: { readonly onMode: () => void; readonly onKey: () => void },
): Settings {
  const panel = find('settings', HTMLDetailsElement);
  const mode = find('mode', HTMLSelectElement);
  const key = field('key');
  const readMode = (): Mode => (mode.value === 'chat' ? 'chat' : 'complete');
  let isChosen = false;
  mode.addEventListener('change', () => {
    isChosen = true;
    onMode();
  });
  key.addEventListener('change', onKey);
  preparePanel(panel);
  return {
    get mode() {
      return readMode();
    },
    get params() {
      return readParams();
    },
    get draftTokens() {
      return numberOf('draft-tokens');
    },
    get authorization() {
      return key.value ? `Bearer ${key.value}` : undefined;
    },
    send(turns, params, signal) {
      const client = createClient({ baseUrl: base, apiKey: key.value || undefined });
      return readMode() === 'chat'
        ? client.chat({ messages: messagesOf(turns), ...params }, { signal })
        : client.complete({ prompt: joinTurns(turns), ...params }, { signal });
    },
    offerChat(hasTemplate) {
      const chat = find('mode-chat', HTMLOptionElement);
      chat.disabled = !hasTemplate;
      chat.textContent = hasTemplate ? 'a chat' : 'a chat (the model has no template)';
      if (!hasTemplate) mode.value = 'complete';
      else if (!isChosen) mode.value = 'chat';
      onMode();
    },
    askForKey(withFocus) {
      find('key-field', HTMLDivElement).hidden = false;
      if (!withFocus) return;
      panel.open = true;
      key.focus();
    },
  };
}

function readParams(): GenerationParams {
  const enabled = field('speculation').checked;
  return {
    temperature: numberOf('temperature'),
    top_p: numberOf('top-p'),
    max_tokens: numberOf('max-tokens'),
    seed: numberOf('seed'),
    speculative: { enabled, draft_tokens: enabled ? numberOf('draft-tokens') : undefined },
  };
}

/** Closed on a phone, where it would fill the screen; then it says what is in it. */
function preparePanel(panel: HTMLDetailsElement): void {
  panel.addEventListener('input', showValues);
  // A browser cannot show what is wrong with a field that is out of sight.
  panel.addEventListener('invalid', () => panel.setAttribute('open', ''), { capture: true });
  if (matchMedia('(max-width: 34rem)').matches) panel.open = false;
  showValues(); // browsers restore fields after a reload
}

/** What stands beside sliders, and what the closed panel says. */
function showValues(): void {
  for (const id of ['temperature', 'top-p']) say(`${id}-value`, field(id).value);
  const seed = field('seed').value;
  const parts = [
    `temperature ${field('temperature').value}`,
    `${field('max-tokens').value} tokens`,
    seed && `seed ${seed}`,
    `speculation ${field('speculation').checked ? 'on' : 'off'}`,
  ];
  say('settings-summary', parts.filter(Boolean).join(', '));
}
