/** A request to the server. */
export interface HttpRequest {
	readonly method?: "GET" | "POST" | "PUT" | "HEAD";
	/** Begins with "/"; the path prefix of the base URL is added. May have a query. */
	readonly path: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string;
	readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
	readonly status: number;
	/** Names in lower case; repeated headers joined by ", ". */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: HttpBody;
}

/** Throws AiServerError ("network", "protocol") when the connection breaks; an abort as it is. */
export interface HttpBody extends AsyncIterable<Uint8Array> {
	/** Discards what has not been read, and with it the connection. */
	destroy(): void;
}

export interface Http {
	/**
	 * Resolves when the response head has arrived, whatever its status; follows no redirect and has no
	 * time limit. Rejects with AiServerError ("settings", "tls", "network",
	 * "protocol") or with the signal's reason.
	 */
	request(request: HttpRequest): Promise<HttpResponse>;
	/** Ends every connection at once, running ones included. */
	close(): Promise<void>;
}

/** An Http that can prepare for a request that is likely to come soon. */
export interface WarmHttp extends Http {
	/**
	 * Makes sure that a connection is open and free, by a small request. Resolves when one is, or when
	 * that failed; never rejects. A call while another one runs joins it.
	 */
	warm(): Promise<void>;
}
