// Fingerprint: 64 bits that name a machine state.
//
// It is a sum, modulo 2^32 in each of two lanes, of a mixed value for every word that is not zero at its place. A sum
// does not depend on the order and zeros cost nothing, so it could be kept up to date word by word instead of from the start.
// Two different states have the same fingerprint with a chance of about 2^-64.

const LANE_A = 0x9e3779b1;
const LANE_B = 0x85ebca77;

export class Fingerprint {
  private a = 0;
  private b = 0;

  /** `place`: a number below 2^32 that nothing else of the state uses. */
  addWord(place: number, word: number): void {
    if (word === 0) return;
    this.a = (this.a + mix(place ^ LANE_A, word)) | 0;
    this.b = (this.b + mix(Math.imul(place, LANE_B) + 1, word ^ LANE_A)) | 0;
  }

  /** A whole number, a fraction or Infinity: all 64 bits of it. Takes the places `place` and `place` + 1. */
  addNumber(place: number, value: number): void {
    scratch.setFloat64(0, value);
    this.addWord(place, scratch.getInt32(0));
    this.addWord(place + 1, scratch.getInt32(4));
  }

  /** 64 bits of a whole number. Takes the places `place` and `place` + 1. */
  addBigint(place: number, value: bigint): void {
    this.addWord(place, Number(BigInt.asIntN(32, value)));
    this.addWord(place + 1, Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Bytes; takes a place for each four of them. The length is not part of it: trailing zeros do not show. */
  addBytes(place: number, bytes: Uint8Array): void {
    const whole = bytes.length & ~3;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let offset = 0; offset < whole; offset += 4) this.addWord(place + offset / 4, view.getInt32(offset, true));
    let rest = 0;
    for (let offset = whole; offset < bytes.length; offset += 1) rest = (rest << 8) | (bytes[offset] ?? 0);
    this.addWord(place + whole / 4, rest);
  }

  addText(place: number, text: string): void {
    this.addBytes(place, new TextEncoder().encode(text));
  }

  /** 16 hexadecimal digits. */
  hex(): string {
    return [mix(this.a, this.b), mix(this.b, this.a ^ LANE_B)]
      .map((lane) => (lane >>> 0).toString(16).padStart(8, "0"))
      .join("");
  }
}

const scratch = new DataView(new ArrayBuffer(8));

function mix(place: number, word: number): number {
  let mixed = Math.imul(place ^ (place >>> 15), 0x2c1b3c6d) ^ Math.imul(word ^ (word >>> 16), 0x297a2d39);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
