import { chosenHost, type Host } from "../../hosts/hosts.ts";

/** The hosts that this run's end-to-end tests start: the one of the project that they run in. */
export const HOSTS: readonly Host[] = [chosenHost(process.env)];
