// VS Code's own implementation of the protocol, speaking to `grouper lsp` as the extension has it.

'use strict';

const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');

const [extension, python, folder] = process.argv.slice(2);
const rpc = require(path.join(extension, 'node_modules', 'vscode-languageserver-protocol', 'node'));
const { serverCommand } = require(path.join(extension, 'server.js'));

async function main() {
  const { text } = JSON.parse(fs.readFileSync(0, 'utf8'));
  const { command, args } = serverCommand([python, '-m', 'grouper', 'lsp']);
  const server = spawn(command, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = rpc.createProtocolConnection(
    new rpc.StreamMessageReader(server.stdout),
    new rpc.StreamMessageWriter(server.stdin),
  );
  const published = new Promise((resolve) =>
    connection.onNotification(rpc.PublishDiagnosticsNotification.type, resolve),
  );
  connection.listen();
  const started = await connection.sendRequest(rpc.InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  });
  await connection.sendNotification(rpc.InitializedNotification.type, {});
  const uri = pathToFileURL(path.join(folder, 'a.rules')).href;
  await connection.sendNotification(rpc.DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: 'grouper', version: 1, text },
  });
  const found = await published;
  const symbols = await connection.sendRequest(rpc.DocumentSymbolRequest.type, {
    textDocument: { uri },
  });
  const items = await connection.sendRequest(rpc.CompletionRequest.type, {
    textDocument: { uri },
    position: { line: 0, character: 0 },
  });
  await connection.sendRequest(rpc.ShutdownRequest.type);
  const status = new Promise((resolve) => server.on('exit', resolve));
  await connection.sendNotification(rpc.ExitNotification.type);
  process.stdout.write(
    JSON.stringify({
      capabilities: Object.keys(started.capabilities),
      findings: found.diagnostics.map((one) => one.code),
      symbols: symbols.map((one) => one.name),
      items: items.items.map((one) => one.label),
      status: await status,
    }),
  );
  process.exit(0);
}

main();
