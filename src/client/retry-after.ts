/**
 * Milliseconds that a `Retry-After` header asks for: seconds or an HTTP date (RFC 9110, 10.2.3). Undefined for any other
 * text, and for a date that is over.
 */
export function parseRetryAfter(header: string): number | undefined {
  const seconds = parseFloat(header);
  const ms = seconds >= 0 ? seconds * 1000 : Date.parse(header) - Date.now();
  return ms >= 0 ? ms : undefined;
}
