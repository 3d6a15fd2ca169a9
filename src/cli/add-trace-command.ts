import { type Command, Option } from 'commander';
import type { TraceOptions } from './trace-options.ts';

/** `doctor trace`; what the options mean is read when the command is run. */
export function addTraceCommand(program: Command, end: (exitCode: number) => void): void {
  program
    .command('trace')
    .description('would this packet pass, and which rule decides')
    .showHelpAfterError('(doctor trace --help shows all options)')
    .requiredOption('--from <address>', 'its source; "local": this node')
    .requiredOption('--to <address>', 'its destination')
    .option('--proto <protocol>', 'tcp, udp, icmp, icmpv6, esp, ah, sctp or a number', 'tcp')
    .option('--dport <port>', 'destination port')
    .option('--sport <port>', 'source port')
    .option('--in <link>', 'the link it arrives over; without it as the routes say')
    .option('--out <link>', 'the link it leaves over; without it as the routes say')
    .option('--state <state>', 'new, established, related, invalid, untracked', 'new')
    .option('--mark <number>', 'the mark it has already, e.g. 0x4000')
    .option('--icmp-type <type>', 'TYPE or TYPE/CODE; without it an echo request')
    .option('--spi <number>', 'of esp or ah')
    .option('--tcp-flags <flags>', 'e.g. SYN or SYN,ACK; without it as the state has it')
    .option('--uid <number>', 'of the process of this node that sends it')
    .option('--bundle <dir>', 'on a recorded node')
    .option('--record <dir>', 'keep what was seen, for --bundle')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .option('--config <file>', 'instead of /etc/k3s-doctor/config.yaml')
    .option('--kubeconfig <file>', "instead of k3s' own")
    .option('--no-color', 'no colours (so does NO_COLOR)')
    .option('-v, --verbose', 'the whole path, rule by rule')
    .action(async (options: TraceOptions) =>
      end(await (await import('./trace-command.ts')).traceCommand(options)),
    );
}
