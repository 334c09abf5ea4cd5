import * as Flags from '@oclif/core/flags';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../base/clock.js';
import { removeQuietly, writeError } from '../base/files.js';
import { BaseCommand } from '../cli/base-command.js';
import { interruption } from '../cli/interruption.js';
import { type Outcome, verdict } from '../cli/outcome.js';
import { withProgress } from '../cli/output.js';
import { runDemo } from '../demo/index.js';
import { renderDemo } from '../render/demo.js';

export default class Demo extends BaseCommand {
  static override readonly summary = 'show mutual TLS from end to end, on this machine, in real handshakes';
  static override readonly description =
    'Makes a root in a temporary workspace, issues two services, starts a sidecar for each, sends a request through, then tries what must fail. Stops and removes everything again. Exits 1 if anything went otherwise than it must.';
  static override readonly examples = [
    { description: 'in a few seconds', command: '<%= config.bin %> demo' },
    { description: 'and look at what it made', command: '<%= config.bin %> demo --keep' },
  ];
  static override readonly flags = { keep: Flags.boolean({ summary: 'leave what was written' }) };

  protected override async execute(): Promise<Outcome> {
    const { flags } = await this.parse(Demo);
    const { signal } = interruption;
    const directory = temporaryDirectory();
    try {
      const report = await withProgress('shaking hands', () => runDemo({ directory, clock: systemClock, signal }));
      const result = { ...report, kept: flags.keep };
      return { result, text: () => renderDemo(result), exitCode: verdict(report.ok) };
    } finally {
      if (!flags.keep) removeQuietly(directory);
    }
  }
}

function temporaryDirectory(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'mtls-demo-'));
  } catch (error) {
    throw writeError(join(tmpdir(), 'mtls-demo'), error);
  }
}
