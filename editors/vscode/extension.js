// The client: starts `grouper lsp`, which does everything else.

'use strict';

const vscode = require('vscode');
const { LanguageClient, TransportKind } = require('vscode-languageclient/node');
const { serverCommand, failure } = require('./server');

let client;

async function start() {
  const settings = vscode.workspace.getConfiguration('grouper');
  const command = serverCommand(settings.get('command'));
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  client = new LanguageClient(
    'grouper',
    'grouper',
    { ...command, transport: TransportKind.stdio, options: { cwd: folder } },
    {
      documentSelector: [{ language: 'grouper' }],
      synchronize: {
        configurationSection: 'grouper',
        fileEvents: vscode.workspace.createFileSystemWatcher(
          '**/*.{rules,pt,pth,bin,ckpt,safetensors,json}',
        ),
      },
    },
  );
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    vscode.window.showErrorMessage(failure(error, command));
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand('grouper.restart', async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration('grouper.command')) {
        await stop();
        await start();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
