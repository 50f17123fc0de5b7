// An SMSC on npm's `smpp`, told what to do by lines of JSON on stdin; what it sees it says by lines of JSON on stdout.
// node smsc.js  |  with TLS: node smsc.js KEY CERT
const smpp = require('smpp');
const fs = require('fs');
const [key, cert] = process.argv.slice(2);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const next = []; // what becomes of the next submits: a status, "swallow", "garble", "late:SECONDS", "no_id"
const orders = {};
let password = 'secret', bindStatus = 0, session = null, ids = 0, alive = true;

smpp.encodings.default = 'ASCII'; // this library's name of GSM 03.38

function submitted(pdu, to) {
  const word = String(next.length ? next.shift() : 0);
  const [kind, seconds] = word.split(':');
  const refused = /^[0-9]+$/.test(kind) && Number(kind) !== 0;
  const said = pdu.message_payload || pdu.short_message;
  if (!refused && kind !== 'nack') {
    say({event: 'submit', to: pdu.destination_addr, ton: pdu.dest_addr_ton, npi: pdu.dest_addr_npi, source: pdu.source_addr,
      source_ton: pdu.source_addr_ton, source_npi: pdu.source_addr_npi, esm: pdu.esm_class, coding: pdu.data_coding,
      registered: pdu.registered_delivery, validity: pdu.validity_period ? pdu.validity_period.toISOString() : '',
      message: said.message === undefined ? String(said) : said.message, udh: (said.udh || []).map((one) => one.toString('hex')),
      payload: pdu.message_payload !== undefined});
  }
  if (kind === 'swallow') return;
  if (kind === 'garble') { to.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'); return; }
  if (kind === 'close') { to.socket.destroy(); return; }
  if (kind === 'nack') { to.send(new smpp.PDU('generic_nack', {command_status: 3, sequence_number: pdu.sequence_number})); return; }
  const answer = refused ? {command_status: Number(kind)} : {message_id: kind === 'no_id' ? '' : `id-${++ids}`};
  if (kind === 'hex') answer.message_id = '00BC614E';
  setTimeout(() => to.send(pdu.response(answer)), kind === 'late' ? Number(seconds) * 1000 : 0);
}

const server = smpp.createServer(key ? {key: fs.readFileSync(key), cert: fs.readFileSync(cert)} : {}, (connection) => {
  connection.on('error', () => {});
  const bind = (pdu) => {
    const status = pdu.password !== password ? 0x0e : bindStatus;
    say({event: 'bind', command: pdu.command, system_id: pdu.system_id, system_type: pdu.system_type,
      version: pdu.interface_version, status});
    connection.send(pdu.response({command_status: status, system_id: 'SMSC'}));
    if (status === 0) { session = connection; say({event: 'bound'}); }
  };
  connection.on('bind_transceiver', bind);
  connection.on('bind_transmitter', bind);
  connection.on('enquire_link', (pdu) => { say({event: 'enquire_link'}); if (alive) connection.send(pdu.response()); });
  connection.on('unbind', (pdu) => { say({event: 'unbind'}); connection.send(pdu.response()); });
  connection.on('submit_sm', (pdu) => submitted(pdu, connection));
  connection.on('close', () => { if (session === connection) session = null; say({event: 'closed'}); });
});
server.on('error', (error) => { say({event: 'error', message: String(error)}); process.exit(1); });

orders.next = (order) => next.push(...order.words);
orders.password = (order) => { password = order.password; };
orders.bind_status = (order) => { bindStatus = order.status; };
orders.alive = (order) => { alive = order.alive; };
orders.drop = () => { if (session) session.socket.destroy(); };
orders.unbind = () => session.unbind();
orders.enquire = () => session.enquire_link({}, () => say({event: 'enquired'}));
orders.vanish = () => { server.close(); for (const one of [...server.sessions]) one.socket.destroy(); };
orders.raw = (order) => session.socket.write(Buffer.from(order.hex, 'hex'));
orders.deliver = (order) => {
  const pdu = {...order.pdu};
  if (order.hex !== undefined) pdu.short_message = Buffer.from(order.hex, 'hex');
  if (pdu.message_payload !== undefined) pdu.message_payload = Buffer.from(pdu.message_payload, 'hex');
  session.deliver_sm(pdu, (answer) => say({event: 'acknowledged', status: answer.command_status, tag: order.tag}));
};
require('readline').createInterface({input: process.stdin}).on('line', (line) => {
  const order = JSON.parse(line);
  orders[order.do](order);
  say({event: 'done', do: order.do});
}).on('close', () => process.exit(0));
server.listen(0, '127.0.0.1', () => say({event: 'listening', port: server.address().port}));
