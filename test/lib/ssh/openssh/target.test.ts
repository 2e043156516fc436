import { expect, test } from "vitest";
import { AiServerError, describeError } from "../../../../lib/errors.ts";
import { describeTarget, parseSshTarget } from "../../../../lib/ssh/openssh/target.ts";

test.each([
	["box", undefined, "box", undefined],
	["box.example.net", undefined, "box.example.net", undefined],
	["demo@box", "demo", "box", undefined],
	["demo@box:2222", "demo", "box", 2222],
	["box:1", undefined, "box", 1],
	["box:65535", undefined, "box", 65_535],
	["box:022", undefined, "box", 22],
	["10.0.0.7:22", undefined, "10.0.0.7", 22],
	["ssh://demo@box", "demo", "box", undefined],
	["SSH://demo@box:2222/", "demo", "box", 2222],
	["[::1]", undefined, "::1", undefined],
	["[::1]:2222", undefined, "::1", 2222],
	["demo@[fe80::1%eth0]:2222", "demo", "fe80::1%eth0", 2222],
	["ssh://demo@[2001:db8::7]:2222", "demo", "2001:db8::7", 2222],
	["::1", undefined, "::1", undefined],
	["demo@2001:db8::7", "demo", "2001:db8::7", undefined],
	["me@example.net@box", "me@example.net", "box", undefined],
	["ai-server_2", undefined, "ai-server_2", undefined],
])("reads %s", (text, user, host, port) => {
	expect(parseSshTarget(text)).toEqual({ user, host, port });
});

test.each([
	["box", "box"],
	["ssh://demo@box:22/", "demo@box:22"],
	["::1", "::1"],
	["demo@[::1]", "demo@::1"],
	["demo@[::1]:2222", "demo@[::1]:2222"],
])("describes %s as %s", (text, described) => {
	expect(describeTarget(parseSshTarget(text))).toBe(described);
	expect(parseSshTarget(described)).toEqual(parseSshTarget(text));
});

test("an error names the setting, or what the caller gives", () => {
	expect(() => parseSshTarget("-x")).toThrow(
		expect.objectContaining({
			message: '"-x" is not an SSH target',
			hint: "Write it as user@host or user@host:port",
			settings: ["sshHost"],
		}),
	);
	expect(() => parseSshTarget("box:0", { hint: "Check ProxyJump" })).toThrow(
		expect.objectContaining({
			message: '"box:0" is not an SSH target: "0" is not a port',
			hint: "Check ProxyJump",
			settings: [],
		}),
	);
});

test.each([
	"",
	" ",
	"@",
	"@box",
	"demo@",
	":22",
	"demo@:22",
	"ssh://",
	"box:",
	"box:0",
	"box:65536",
	"box:123456",
	"box:-1",
	"box:+22",
	"box:22x",
	"box:0x16",
	"box:22:33",
	"[]",
	"[]:22",
	"[box",
	"box]",
	"[::1]22",
	"[::1]:",
	"[::1]:99999",
	"[::1",
	"-oProxyCommand=touch%20x",
	"demo@-oProxyCommand=x",
	"-oProxyCommand=x@box",
	"ssh://-oProxyCommand=x",
	"demo@box name",
	"demo user@box",
	"demo@box\n",
	"demo@box\u0000",
	"demo@\u001b[31mbox",
	"demo@box;reboot",
	"demo@$(reboot)",
	"demo@`reboot`",
	"demo@box|x",
	"demo@box&x",
	"demo@box>x",
	"demo@box'x",
	'demo@box"x',
	"de\\mo@box",
	"box/path",
	"ssh://demo@box/path",
])("refuses %j", (text) => {
	let thrown: unknown;
	try {
		thrown = parseSshTarget(text);
	} catch (error) {
		thrown = error;
	}
	expect(thrown).toBeInstanceOf(AiServerError);
	expect(thrown).toMatchObject({
		code: "settings",
		message: expect.stringMatching(/ is not an SSH target/),
		hint: expect.stringContaining("user@host"),
	});
	expect(describeError(thrown)).not.toMatch(/[\u0000-\u001f]/);
});
