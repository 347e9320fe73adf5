import { describe, expect, test } from 'bun:test';
import { parseChatTemplates } from '../../src/text/chat-template.ts';

const OPTIONS = { addGenerationPrompt: true, tools: [], now: new Date(2025, 6, 4, 15, 5) };
const USER = [{ role: 'user', content: 'Hi' }];

function render(
  template: unknown,
  config: Record<string, unknown> = {},
  options = {},
  file?: string,
): string {
  return parseChatTemplates({ ...config, chat_template: template }, file).render(USER, {
    ...OPTIONS,
    ...options,
  });
}

describe('ChatTemplates.render()', () => {
  test('passes messages and add_generation_prompt', () => {
    const template =
      '{% for m in messages %}{{ m.role }}:{{ m.content }}{% endfor %}{% if add_generation_prompt %}>{% endif %}';
    expect(render(template)).toBe('user:Hi>');
    expect(render(template, {}, { addGenerationPrompt: false })).toBe('user:Hi');
  });

  test('passes special tokens, written as text or as an object; null ones are undefined', () => {
    const config = { bos_token: '<s>', eos_token: { content: '</s>', lstrip: false }, pad_token: null };
    const template = '{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ pad_token is defined }}';
    expect(render(template, config)).toBe('<s></s>false');
  });

  test('prefers chat_template.jinja', () => {
    expect(render('key', {}, {}, 'file')).toBe('file');
    expect(render([{ name: 'default', template: 'list' }], {}, {}, 'file')).toBe('file');
    expect(render(undefined, {}, {}, 'file')).toBe('file');
  });

  test('takes tool_use only where there are tools, default otherwise', () => {
    const list = [
      { name: 'default', template: 'plain {{ tools is none }}' },
      { name: 'tool_use', template: 'with {{ tools | tojson }}' },
    ];
    expect(render(list)).toBe('plain true');
    expect(render(list, {}, { tools: [{ name: 'f', n: 1 }] })).toBe('with [{"name": "f", "n": 1}]');
    expect(render([list[0]], {}, { tools: [{}] })).toBe('plain false');
  });

  test('takes off one line end after a block, as transformers does, and keeps a leading one', () => {
    expect(render('\n{% if true %}\nx\n{% endif %}\ny')).toBe('\nx\ny');
  });

  test('prints the date in English whatever the machine speaks', () => {
    expect(render("{{ strftime_now('%d %b %Y, %A %B %H:%M') }}")).toBe('04 Jul 2025, Friday July 15:05');
  });

  test('turns raise_exception into an error about the messages', () => {
    const template =
      "{% if messages[0].role != 'system' %}{{ raise_exception('System first, please') }}{% endif %}";
    expect(() => render(template)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        param: 'messages',
        message: expect.stringContaining('System first, please'),
      }),
    );
  });

  test('turns any other failure of a template into such an error too', () => {
    expect(() => render("{{ messages[0].nothing.upper() + 'x' }}")).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'messages' }),
    );
  });

  test('has nothing to render with without a default', () => {
    const templates = parseChatTemplates({ chat_template: [{ name: 'rag', template: 'x' }] }, undefined);
    expect(templates.isEmpty).toBe(true);
    expect(() => templates.render(USER, OPTIONS)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });
});
