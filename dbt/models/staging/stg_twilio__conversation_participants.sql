{{ staged('conversation_participants', [
  ['sid', 'text'],
  ['account_sid', 'text'],
  ['identity', 'text'],
  ['messaging_binding', 'json']
]) }}
