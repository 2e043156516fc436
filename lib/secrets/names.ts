/** Names whose value is a secret whatever it looks like. */
const CERTAIN =
	/api-?keys?$|(?:^|-)(?:api|auth|access|bearer|hf|hub|hft|github|gh|gitlab|refresh|session|bot)-?token$|(?:secret|access|master|encryption|signing)-?key$|secret$|passw(?:or)?d$|passphrase$|sshpass$|^hft$|oauth2-bearer$/;
/** Names whose value may be one: not a number, a template's token or a path. */
const LIKELY = /key$|token$|(?:^|-)(?:pass|pwd)$/;
/** Names of that form that people give to what is no secret. */
const HARMLESS =
	/(?:^|-)(?:bos|eos|eot|eom|pad|padding|unk|sep|cls|mask|stop|start|end|begin|think|thinking|image|audio|video|vision|tool|special|draft|per|max|min|first|last|next|prefix|suffix|middle|newline|nl|sample|sort|sorting|order|group|primary|foreign|cache|partition|index|row|map|lookup|hot|shortcut|public|json|yaml|label|name)-(?:key|token)$/;

/** A reference to text that is kept elsewhere. */
const REFERENCE = /^(?:\$\{[^}]*\}|\$\w+|\$\([\s\S]*\)|%\w+%)$/;
const NUMBER = /^[-+]?[\d._]+(?:e[-+]?\d+)?$/i;
/** `<|im_end|>`, `[PAD]`, `<your key>`. */
const PLACEHOLDER = /^(?:<[^>]*>|\[[A-Z]+\])$/;
const PATH = /^(?:~|\.{1,2})?\/[^\s/]*(?:\/|\.\w+$)|^[A-Za-z]:\\/;
const WORD = /^(?:true|false|yes|no|on|off|none|null|auto|default)$/i;

/** No name is longer where it counts. */
const MAX_NAME = 64;

/** "HF_TOKEN", "hfToken" and "hf-token" are one name. */
function canonical(name: string): string {
	return name
		.slice(-MAX_NAME)
		.replace(/([a-z\d])([A-Z])/g, "$1-$2")
		.replace(/[_.]/g, "-")
		.toLowerCase();
}

export function isCertain(name: string): boolean {
	return CERTAIN.test(canonical(name));
}

/** True when the value of an option, a variable or a key with this name should not be shown. */
export function isSecret(name: string, value: string): boolean {
	if (value === "" || PLACEHOLDER.test(value)) return false;
	const known = canonical(name);
	if (CERTAIN.test(known)) return true;
	if (!LIKELY.test(known) || HARMLESS.test(known)) return false;
	return !NUMBER.test(value) && !PATH.test(value) && !WORD.test(value);
}

export function isReference(value: string): boolean {
	return REFERENCE.test(value);
}

/** The name of the macro that a value is taken from; undefined for any other value. */
export function macroIn(value: string): string | undefined {
	return /^\$\{([^}]*)\}$/.exec(value)?.[1];
}
