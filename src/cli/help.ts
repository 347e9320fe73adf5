import { stripVTControlCharacters } from 'node:util';
import { type ArgsDef, renderUsage } from 'citty';
import { VERSION } from '../lib/version.ts';
import type { Command } from './command.ts';
import { COMMANDS, type CommandEntry } from './commands.ts';

/** Text of `sdfp --help`. */
export async function renderMainHelp(): Promise<string> {
  const subCommands = Object.fromEntries(
    COMMANDS.map(({ name, description }) => [name, { meta: { name, description } }]),
  );
  const meta = {
    name: 'sdfp',
    version: VERSION,
    description: 'The same answers, faster: self-speculative decoding',
  };
  return plain(await renderUsage({ meta, subCommands }));
}

/** Text of `sdfp COMMAND --help`. */
export async function renderCommandHelp(
  { name, description }: CommandEntry,
  command: Command,
): Promise<string> {
  const args: ArgsDef = {
    ...command.args,
    help: { type: 'boolean', alias: 'h', description: 'Show this page' },
  };
  const usage = await renderUsage(
    { meta: { name, description }, args },
    { meta: { name: 'sdfp', version: VERSION } },
  );
  return plain(`${usage}${command.details === '' ? '' : `\n${command.details.trim()}\n`}`);
}

/** citty colours whatever stdout is and pads every line; help goes to files and pagers as often as to a terminal. */
function plain(text: string): string {
  return `${stripVTControlCharacters(text).replace(/ +$/gm, '').trimEnd()}\n`;
}
