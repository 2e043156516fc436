/** A request to the one server this extension talks to. */
export interface HttpRequest {
	readonly method?: "GET" | "POST" | "PUT" | "HEAD";
	/** Begins with "/"; a path prefix of the base URL is put in front. May carry a query. */
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
	/** Drops what has not been read, and with it the connection. */
	destroy(): void;
}

export interface Http {
	/**
	 * Resolves when the response head is there, whatever its status; never follows a redirect and
	 * has no time limit of its own. Rejects with AiServerError ("settings", "tls", "network",
	 * "protocol") or with the signal's own reason.
	 */
	request(request: HttpRequest): Promise<HttpResponse>;
	/** Ends every connection at once, running ones included. */
	close(): Promise<void>;
}

/** An Http that can be told that a request is likely to come soon. */
export interface WarmHttp extends Http {
	/**
	 * Sees to it that a connection is open and free, by asking for something small. Resolves when
	 * that is so or cannot be had; never rejects. Without effect while one such call runs.
	 */
	warm(): Promise<void>;
}
