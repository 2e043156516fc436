import { AiServerError } from "../errors.ts";

/** Bytes from `start` on; fewer than `length` only at the end of the file. */
export type RangeReader = (start: number, length: number) => Promise<Uint8Array>;

/** The first read is small, since the window is near the beginning of most files. */
const FIRST_READ = 16 * 2 ** 10;
const NEXT_READ = 2 ** 20;
/** Lengths and counts beyond this are made up. */
const MAX_LENGTH = 2 ** 48;

/** Little-endian values one after the other, out of a file that is read in pieces. */
export class ByteSource {
	readonly #read: RangeReader;
	#left: number;
	#bytes: Uint8Array = new Uint8Array(0);
	#view: DataView = new DataView(new ArrayBuffer(0));
	/** Where `#bytes` begins in the file. */
	#start = 0;
	/** Next value within `#bytes`, or beyond them. */
	#at = 0;

	/** `limit`: bytes that may be read altogether. */
	constructor(read: RangeReader, limit: number) {
		this.#read = read;
		this.#left = limit;
	}

	/** A whole number of 1, 2, 4 or 8 bytes, unsigned; beyond 2^53 not exact. */
	async number(size: number): Promise<number> {
		if (this.#bytes.length - this.#at < size) await this.#fill(size);
		const at = this.#at;
		this.#at += size;
		if (size === 1) return this.#view.getUint8(at);
		if (size === 2) return this.#view.getUint16(at, true);
		if (size === 4) return this.#view.getUint32(at, true);
		return this.#long(at);
	}

	async text(most: number): Promise<string> {
		const length = await this.number(8);
		if (length > most) throw made(`a text of ${length} bytes`);
		if (this.#bytes.length - this.#at < length) await this.#fill(length);
		const at = this.#at;
		this.#at += length;
		return new TextDecoder().decode(this.#bytes.subarray(at, at + length));
	}

	/** Passes over bytes; those not read yet never are. */
	skip(length: number): void {
		if (length > MAX_LENGTH) throw made(`a list of ${length} bytes`);
		this.#at += length;
	}

	/** Passes over `count` texts. Every one costs the limit at least its length field. */
	async skipTexts(count: number): Promise<void> {
		for (let text = 0; text < count; text++) {
			if (this.#bytes.length - this.#at < 8) await this.#fill(8);
			const length = this.#long(this.#at);
			this.#at += 8;
			this.skip(length);
		}
	}

	#long(at: number): number {
		return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
	}

	/** Makes at least `size` bytes available from the current place on. */
	async #fill(size: number): Promise<void> {
		const kept = this.#bytes.subarray(Math.min(this.#at, this.#bytes.length));
		const pieces = [kept];
		this.#start += this.#at;
		this.#at = 0;
		for (let have = kept.length; have < size; ) {
			const usual = this.#start === 0 ? FIRST_READ : NEXT_READ;
			const wanted = Math.min(Math.max(usual, size - have), this.#left);
			if (wanted < size - have) throw made("more than can be read of it here");
			const piece = await this.#read(this.#start + have, wanted);
			if (piece.length === 0) throw made("less than it announces: it ends early");
			// Counted as asked for, so that a reader of single bytes comes to an end as well.
			this.#left -= Math.max(piece.length, Math.min(wanted, 4096));
			pieces.push(piece);
			have += piece.length;
		}
		this.#bytes = pieces.length === 1 ? kept : Buffer.concat(pieces);
		this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
	}
}

function made(what: string): AiServerError {
	return new AiServerError("protocol", `The model file holds ${what}`, {
		hint: "Give the model's cmd a --ctx-size, then its file need not be read",
	});
}
