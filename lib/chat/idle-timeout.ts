import { AiServerError } from "../errors.ts";

/** Aborts an exchange after a time without a byte; its total length is not limited. */
export interface IdleTimeout {
	/** Aborts with the caller's reason, or with AiServerError "timeout". */
	readonly signal: AbortSignal;
	/** Starts the time anew, because something has arrived. */
	restart(): void;
	stop(): void;
}

/** `limit` in ms; `caller` aborts as well. */
export function startIdleTimeout(limit: number, caller: AbortSignal | undefined): IdleTimeout {
	const silence = new AbortController();
	let last = performance.now();
	let timer: NodeJS.Timeout | undefined;
	// One timer that looks at the time, instead of a new one with every chunk.
	const look = (): void => {
		const left = limit - (performance.now() - last);
		if (left > 0) timer = setTimeout(look, left);
		else silence.abort(tooLong(limit));
	};
	timer = setTimeout(look, limit);
	return {
		signal: caller === undefined ? silence.signal : AbortSignal.any([caller, silence.signal]),
		restart() {
			last = performance.now();
		},
		stop() {
			clearTimeout(timer);
		},
	};
}

function tooLong(limit: number): AiServerError {
	const seconds = limit >= 1000 ? `${Math.round(limit / 1000)} s` : `${limit} ms`;
	return new AiServerError("timeout", `The server sent nothing for ${seconds} (timed out)`, {
		hint: "If the model needs longer to load, raise the limit",
		setting: "timeoutMs",
	});
}
