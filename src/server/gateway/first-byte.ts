/** An answer of which at least one byte has come, or that has no body. Errors: what the connection fails with before. */
export async function awaitFirstByte(response: Response): Promise<Response> {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const first = await reader.read();
  if (first.done && response.headers.get('content-type')?.startsWith('text/event-stream')) {
    throw new Error('the stream ended before its first byte');
  }
  return new Response(resume(first.value, reader), response);
}

/** The rest of a body after its first chunk, read at the pace of its reader. */
function resume(
  first: Uint8Array | undefined,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (first === undefined) controller.close();
      else controller.enqueue(first);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
