import { crc32, deflateSync } from "node:zlib";

const width = 32;
const height = 48;

/** A picture of one colour, which follows from the text; PNG, 32 by 48 pixels. */
export function drawCover(text: string): Buffer {
  const colour = Buffer.alloc(4);
  colour.writeUInt32BE(crc32(text));
  // A row starts with its filter: none.
  const row = Buffer.concat([Buffer.of(0), ...Array.from({ length: width }, () => colour.subarray(0, 3))]);

  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // 8 bits per channel, red green blue
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(Array.from({ length: height }, () => row)))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
