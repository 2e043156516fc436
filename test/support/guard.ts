import { VARIABLES } from "../../config.ts";

const TARGETS = ["AI_SERVER_URL", "AI_SERVER_SSH_HOST", "AI_SERVER_CERTS_DIR"];
const LOOPBACK =
	/^(?:(?:https?|llama-swap):\/\/|[^@\s]+@)?(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?=[:/]|$)/;

/**
 * The defaults name a real person's machines. No test may run where one of them could apply:
 * the run stops here unless every target is set, and set to this machine.
 */
export default function guard(): void {
	for (const name of TARGETS) {
		const value = process.env[name];
		if (value === undefined || value === "") {
			throw new Error(`${name} is not set. Run the tests with \`npm test\`, which sets it.`);
		}
		if (value === VARIABLES.find((variable) => variable.name === name)?.default) {
			throw new Error(`${name} is the default, which names a real machine.`);
		}
		if (name !== "AI_SERVER_CERTS_DIR" && !LOOPBACK.test(value)) {
			throw new Error(`${name}=${value} is not this machine.`);
		}
	}
}
