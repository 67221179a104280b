//! XML-RPC values, calls and responses as XML. Knows nothing of MNet.
