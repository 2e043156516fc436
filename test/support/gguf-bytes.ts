/** A value of a GGUF header: its type number and its bytes. */
export type GgufValue = readonly [type: number, bytes: Buffer];

export const u32 = (value: number): GgufValue => [4, little(4, value)];
export const u64 = (value: number): GgufValue => [10, little(8, value)];
export const f32 = (value: number): GgufValue => {
	const bytes = Buffer.alloc(4);
	bytes.writeFloatLE(value);
	return [6, bytes];
};
export const text = (value: string): GgufValue => [8, textBytes(value)];
export const list = (type: number, items: readonly Buffer[]): GgufValue => [
	9,
	Buffer.concat([little(4, type), little(8, items.length), ...items]),
];

/** The head of a model file, followed by some of its weights. */
export function ggufFile(
	entries: readonly (readonly [string, GgufValue])[],
	{ version = 3, count = entries.length }: { version?: number; count?: number } = {},
): Buffer {
	return Buffer.concat([
		Buffer.from("GGUF"),
		little(4, version),
		little(8, 291),
		little(8, count),
		...entries.flatMap(([key, [type, bytes]]) => [textBytes(key), little(4, type), bytes]),
		Buffer.alloc(4096, 0xaa),
	]);
}

export function textBytes(value: string): Buffer {
	const bytes = Buffer.from(value);
	return Buffer.concat([little(8, bytes.length), bytes]);
}

export function little(size: 4 | 8, value: number): Buffer {
	const bytes = Buffer.alloc(size);
	if (size === 4) bytes.writeUInt32LE(value);
	else bytes.writeBigUInt64LE(BigInt(value));
	return bytes;
}
