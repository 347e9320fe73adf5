const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

function nameOf(date: Date, options: Intl.DateTimeFormatOptions): string {
  // Chat templates were written for Python's C locale; the machine's own language must not change a prompt.
  return new Intl.DateTimeFormat('en-US', options).format(date);
}

const DIRECTIVES: Readonly<Record<string, (date: Date) => string>> = {
  '%Y': (date) => pad(date.getFullYear(), 4),
  '%y': (date) => pad(date.getFullYear() % 100),
  '%m': (date) => pad(date.getMonth() + 1),
  '%d': (date) => pad(date.getDate()),
  '%H': (date) => pad(date.getHours()),
  '%I': (date) => pad(date.getHours() % 12 || 12),
  '%M': (date) => pad(date.getMinutes()),
  '%S': (date) => pad(date.getSeconds()),
  '%p': (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  '%A': (date) => nameOf(date, { weekday: 'long' }),
  '%a': (date) => nameOf(date, { weekday: 'short' }),
  '%B': (date) => nameOf(date, { month: 'long' }),
  '%b': (date) => nameOf(date, { month: 'short' }),
  '%%': () => '%',
};

/** Python's `strftime` in local time and English; directives that chat templates do not use stay as they are. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%[a-zA-Z%]/g, (directive) => DIRECTIVES[directive]?.(date) ?? directive);
}
