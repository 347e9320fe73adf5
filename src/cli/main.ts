import process from 'node:process';
import { suggestion } from '../lib/nearest.ts';
import { VERSION } from '../lib/version.ts';
import { COMMANDS, type CommandEntry } from './commands.ts';
import { describeError, exitStatus, usageError } from './errors.ts';
import { renderCommandHelp, renderMainHelp } from './help.ts';
import { watchSignals } from './signals.ts';
import { wantsHelp } from './strict.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/**
 * Runs `sdfp ARGS...` on the process's own streams and gives the exit status: 0, one of `errors.ts`, or 128 + the number
 * of the signal that ended it.
 */
export async function main(rawArgs: readonly string[]): Promise<number> {
  const { stdout, stderr, env } = process;
  const terminal = createTerminal({ stdout, stderr, environment: env });
  using signals = watchSignals();
  try {
    await dispatch(rawArgs, terminal, signals.signal);
    return 0;
  } catch (error) {
    terminal.progress.finish(signals.status === undefined ? 'failed' : 'interrupted');
    if (signals.status !== undefined) return signals.status;
    const command = COMMANDS.some(({ name }) => name === rawArgs[0]) ? ` ${rawArgs[0]}` : '';
    terminal.note(`sdfp${command}: ${describeError(error)}`);
    return exitStatus(error);
  }
}

async function dispatch(rawArgs: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<void> {
  const [first, ...rest] = rawArgs;
  if (first === undefined || first === '--help' || first === '-h')
    return terminal.write(await renderMainHelp());
  if (first === '--version' || first === '-v') return terminal.write(`${VERSION}\n`);
  const entry = findCommand(first);
  const { default: command } = await entry.load();
  if (wantsHelp(rest, command.args)) return terminal.write(await renderCommandHelp(entry, command));
  await command.run(rest, { signal, terminal });
}

function findCommand(name: string): CommandEntry {
  const entry = COMMANDS.find((known) => known.name === name);
  if (entry !== undefined) return entry;
  const names = COMMANDS.map((known) => known.name);
  throw usageError(`unknown command ${name}${suggestion(name, names)} (known: ${names.join(', ')})`);
}
