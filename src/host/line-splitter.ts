export interface LineSplitter {
  /** Always true: what is handed on takes no room here. */
  readonly add: (chunk: Uint8Array) => boolean;
  /** Hands on what stands after the last line end. */
  readonly finish: () => void;
}

/**
 * Cuts output into lines of latin1 text. Each line is a string of its own: a slice of a larger one
 * would keep all of that in memory as long as a few characters of it are remembered.
 */
export function lineSplitter(onLine: (line: string) => void): LineSplitter {
  let rest = Buffer.alloc(0);
  return {
    add: (bytes) => {
      const chunk =
        rest.length === 0
          ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
          : Buffer.concat([rest, bytes]);
      let start = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        onLine(chunk.toString('latin1', start, end));
        start = end + 1;
      }
      rest = Buffer.from(chunk.subarray(start));
      return true;
    },
    finish: () => {
      if (rest.length > 0) onLine(rest.toString('latin1'));
    },
  };
}
