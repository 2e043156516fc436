import type { Http } from "../http/types.ts";
import {
	createAttempt,
	type ExchangeOptions,
	type ExchangeRequest,
	type Refusal,
} from "./attempt.ts";
import {
	ChatError,
	draftStatus,
	draftStreamError,
	isLoadError,
	isLoadFailure,
} from "./errors/error-text.ts";
import { startIdleTimeout } from "./idle-timeout.ts";
import {
	applyLessons,
	culpritsIn,
	type Lessons,
	type Remedy,
	refusalOf,
	remedyFor,
} from "./remedies/remedies.ts";

/** How long a request waits for the connection of the last answer; a new one takes a handshake. */
const FREE_MS = 100;
/** Requests for one answer; each follows a refusal that names what to change. */
const MAX_TRIES = 5;

export interface ExchangeDeps {
	readonly http: Http;
	/** Milliseconds without a byte after which an exchange is given up. */
	readonly timeoutMs: number;
	/** The last lines of a model's log, for a load that failed; short, and never rejects. */
	readonly explainLoad?: (model: string) => Promise<string | undefined>;
	/** What the models' servers have refused so far; the exchange adds to it. */
	readonly lessons?: Lessons;
	/** Takes a sentence for the user about what requests go without from now on. */
	readonly notice?: (text: string) => void;
	/** Replaced in tests. */
	readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export interface Exchange {
	/**
	 * Posts a chat request and hands over the chunks of its answer. Resolves when the answer is
	 * complete; rejects with ChatError, AiServerError, or the signal's reason.
	 */
	run(request: ExchangeRequest, options: ExchangeOptions): Promise<void>;
}

export function createExchange(deps: ExchangeDeps): Exchange {
	const { http, timeoutMs, explainLoad, lessons = new Map(), notice, wait } = deps;
	/** Answers that are complete, on connections that are not free yet. */
	const draining = new Set<Promise<void>>();
	const onDrain = (drained: Promise<void>): void => {
		draining.add(drained);
		void drained.then(() => draining.delete(drained));
	};
	const attempt = createAttempt({ http, timeoutMs, onDrain, wait });
	return {
		async run(request, options) {
			const { model } = request;
			const idle = startIdleTimeout(timeoutMs, options.signal);
			try {
				if (draining.size > 0) await settled(draining);
				let asked = applyLessons(request, lessons.get(model));
				let mayFit = true;
				for (let tries = 1; ; tries += 1) {
					const refusal = await attempt(asked, options, idle);
					if (refusal === undefined) return;
					const isLast = refusal.isLate || tries === MAX_TRIES;
					const refused = refusalOf(asked, refusal);
					const remedy: Remedy | undefined = isLast
						? undefined
						: remedyFor(refused, model, { lessons, mayFit });
					if (remedy === undefined) throw await toError(refusal, request, explainLoad);
					if (remedy.notice !== undefined) notice?.(remedy.notice);
					mayFit &&= !remedy.isFit;
					asked = { ...remedy.request, model };
				}
			} finally {
				idle.stop();
			}
		},
	};
}

async function toError(
	refusal: Refusal,
	request: ExchangeRequest,
	explainLoad: ExchangeDeps["explainLoad"],
): Promise<ChatError> {
	const { status, body, error } = refusal;
	const { model } = request;
	const culprits = culpritsIn(refusalOf(request, refusal));
	if (status === undefined) {
		const log = isLoadError(error) ? await explainLoad?.(model) : undefined;
		return new ChatError(draftStreamError(error, model, { log, culprits }));
	}
	const log = isLoadFailure(status, body) ? await explainLoad?.(model) : undefined;
	return new ChatError(draftStatus(status, body, model, { log, culprits }));
}

/** Resolves when all of them are done, or when waiting for them would cost more than it saves. */
function settled(draining: ReadonlySet<Promise<void>>): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, FREE_MS);
	void Promise.all(draining).then(() => {
		clearTimeout(timer);
		resolve();
	});
	return promise;
}
