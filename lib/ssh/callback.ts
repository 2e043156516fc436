/** A Node callback as a promise; a call that throws rejects. */
export function callback<T>(
	call: (done: (error: Error | undefined | null, value: T) => void) => void,
): Promise<T> {
	return new Promise((resolve, reject) => {
		call((error, value) =>
			error === undefined || error === null ? resolve(value) : reject(error),
		);
	});
}
