import { AiServerError } from "../errors.ts";

/** Aborts when nothing has been heard for too long; it never limits the whole. */
export interface SilenceWatch {
	/** Aborts with the caller's reason, or with AiServerError "timeout". */
	readonly signal: AbortSignal;
	/** Something was heard: the clock starts again. */
	heard(): void;
	stop(): void;
}

/** `limit` in ms; `caller`, where given, aborts as well. */
export function watchSilence(limit: number, caller: AbortSignal | undefined): SilenceWatch {
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
		heard() {
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
