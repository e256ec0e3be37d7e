using System.Globalization;
using System.Text;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Mvc;

namespace Headstart.OpenInference;

/// <summary>The refusals of HTTP in gRPC's form: a status and a sentence.</summary>
internal sealed class GrpcErrors(ILogger<ExceptionProblems> log) : Interceptor
{
    /// <summary>Path of the service, defined by the protocol.</summary>
    public const string Root = "/inference.GRPCInferenceService";

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception e) when (e is not RpcException && !context.CancellationToken.IsCancellationRequested)
        {
            var problem = ExceptionProblems.Explain(context.GetHttpContext(), e, log);
            throw Of(problem.StatusCode, problem.ProblemDetails.Detail!);
        }
    }

    public static RpcException Of(int status, string sentence) => new(new(Code(status), sentence));

    /// <summary>A refusal before the service is reached: a response without a message (Trailers-Only).</summary>
    internal static IResult Of(ProblemDetails problem) => new Refusal(
        problem.Type == "not-found" ? StatusCode.Unimplemented : Code(problem.Status ?? StatusCodes.Status500InternalServerError),
        problem.Detail ?? problem.Title ?? "");

    private static StatusCode Code(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => StatusCode.Unauthenticated,
        StatusCodes.Status402PaymentRequired or StatusCodes.Status413PayloadTooLarge or StatusCodes.Status429TooManyRequests
            or StatusCodes.Status507InsufficientStorage => StatusCode.ResourceExhausted,
        StatusCodes.Status403Forbidden => StatusCode.PermissionDenied,
        StatusCodes.Status404NotFound => StatusCode.NotFound,
        StatusCodes.Status405MethodNotAllowed => StatusCode.Unimplemented,
        StatusCodes.Status409Conflict => StatusCode.FailedPrecondition,
        StatusCodes.Status503ServiceUnavailable => StatusCode.Unavailable,
        >= 400 and < 500 => StatusCode.InvalidArgument,
        _ => StatusCode.Internal,
    };

    private sealed class Refusal(StatusCode code, string sentence) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentType = "application/grpc";
            response.Headers["grpc-status"] = ((int)code).ToString(CultureInfo.InvariantCulture);
            response.Headers["grpc-message"] = Encoded(sentence);
            return Task.CompletedTask;
        }

        /// <summary>Escapes only what gRPC requires, because its client for Node does not decode <c>%2F</c> and the like.</summary>
        private static string Encoded(string sentence) => string.Concat(Encoding.UTF8.GetBytes(sentence)
            .Select(letter => letter is >= 0x20 and <= 0x7E and not (byte)'%' ? $"{(char)letter}" : $"%{letter:X2}"));
    }
}
